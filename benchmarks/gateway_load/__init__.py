"""The parts of `benchmarks/gateway.py`: the shop that is asked about, its servers, and what loads and measures them."""
