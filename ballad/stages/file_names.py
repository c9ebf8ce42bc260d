"""The names of the files in a run's own folder, for all who write or read them."""

SETTINGS = "settings.yaml"
"""What was run, for people and for another run."""
PLAN = "plan.json"
"""The addresses of the run's stages."""
RESULT = "result.json"
"""Accuracies by model and split, seconds by phase; the last file of a run: without it, the run is not finished."""
METRICS = "metrics.parquet"
"""Epochs: phase, epoch, loss, learning_rate, accuracies on validation."""
WORKER_LOG = "worker.log"
"""What the process said that executed the run."""


def predictions(model: str, split: str) -> str:
    """The best classes of every image."""
    return f"{model}/predictions-{split}.parquet"


def classes(model: str, split: str) -> str:
    """The results of every class."""
    return f"{model}/classes-{split}.csv"


def confusion(model: str, split: str) -> str:
    """Which classes were taken for which, and how often."""
    return f"{model}/confusion-{split}.parquet"


def summary(model: str, split: str) -> str:
    """The summary numbers of a split in one object."""
    return f"{model}/summary-{split}.json"


def weights(name: str) -> str:
    """Trained weights, such as ``adapter``."""
    return f"{name}.safetensors"
