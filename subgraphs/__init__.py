"""What may be asked: one Strawberry federation schema a slice."""
