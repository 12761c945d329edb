"""The gateway: composition, planning, execution, and the server around them."""
