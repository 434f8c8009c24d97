"""What providers tell without being asked."""
