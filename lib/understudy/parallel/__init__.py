"""Work over processes and machines: Dask workers, a graph of jobs, loading ahead."""
