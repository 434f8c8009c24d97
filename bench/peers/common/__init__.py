"""What the peers in Python share, so that they differ in nothing but their framework's way."""
