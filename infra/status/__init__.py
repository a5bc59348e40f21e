"""The public status page: probes over HTTP, a folder of static files, and a small server that needs nothing else."""
