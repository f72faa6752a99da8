"""What fills the snapshot: read, parse, check, hand over whole, or keep the last good one."""
