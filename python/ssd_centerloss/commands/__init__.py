"""The commands of `ssd-centerloss`, one module each."""
