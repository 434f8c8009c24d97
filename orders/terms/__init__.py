"""What is charged beside prices: tax, and shipping."""
