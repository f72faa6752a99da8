"""What was taken of quotas and budgets: counted in memory, never below what is durable."""
