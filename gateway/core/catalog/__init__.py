"""What a request is: provider catalogues as data, read by one engine."""
