"""Working the queue: devices, workers, executors and the small tasks that pages ask for."""
