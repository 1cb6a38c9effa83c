"""The measured sides, each a worker process: `python -m benchmarks.peers.NAME`."""
