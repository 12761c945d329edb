"""What `live.py` starts and measures: the servers, the crowds that subscribe to them, and one module for each question."""
