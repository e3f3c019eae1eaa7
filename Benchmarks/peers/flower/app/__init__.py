"""The workload as an app of Flower."""
