"""Files of the Hugging Face hub: from its cache on this disk, else downloaded, else a sentence at once."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ballad.errors import BackboneError
from ballad.locks import exclusive

# Read when the hub's client is first imported. With it, the client asks the hub one question more, about who asks.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

PROBE_SECONDS = 4.0
"""How long the hub may take to say whether it has a file, before we call ourselves offline."""

WAYS_TO_PROVIDE_WEIGHTS = (
    "There are three ways to provide it: connect this machine to the network once, and it is downloaded and kept; "
    "copy the weights file here and name it with --set backbone.pretrained=PATH; or copy a folder with "
    "open_clip_config.json and the weights here and choose it with --backbone FOLDER."
)

DownloadProgress = Callable[[int, int | None], None]
"""Called with the bytes downloaded so far and, once known, the bytes of the whole file."""


def cached_file(repository: str, filenames: Sequence[str]) -> Path | None:
    """The first of ``filenames`` of a repository that an earlier download left on this disk."""
    from huggingface_hub import try_to_load_from_cache

    for filename in filenames:
        path = try_to_load_from_cache(repository, filename)
        if isinstance(path, str):
            return Path(path)
    return None


def fetch_file(
    repository: str,
    filenames: Sequence[str],
    progress: DownloadProgress | None = None,
    *,
    offline_advice: str = WAYS_TO_PROVIDE_WEIGHTS,
) -> Path:
    """The first of ``filenames`` that the repository has, downloaded unless it is on this disk.

    The download is checked by the hub's client; a caller that needs a file which another thread or process is
    downloading waits for it, and calls ``progress`` meanwhile. Raises BackboneError where the hub cannot be reached
    (within PROBE_SECONDS) or does not give the file, and what ``progress`` raises.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HTTPError

    on_disk = cached_file(repository, filenames)
    if on_disk:
        return on_disk
    filename = _first_available(repository, filenames, offline_advice)
    bar = _bar_that_reports(progress) if progress else None
    try:
        # The client has a lock of its own, but waiting for that cannot be cancelled.
        with exclusive(_lock_file(repository, filename), partial(progress or _ignore, 0, None)):
            return Path(hf_hub_download(repository, filename, tqdm_class=bar))
    except (OSError, HTTPError) as error:
        raise BackboneError(
            f"The download of {filename} from huggingface.co/{repository} was interrupted ({_first_line(error)}); "
            "start it again."
        ) from None


def _lock_file(repository: str, filename: str) -> Path:
    """Beside the client's own lock files. Raises OSError."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"ballad--{repository}--{filename}.lock".replace("/", "--")


def _ignore(done: int, total: int | None) -> None:
    """The progress of callers who do not watch."""


def _first_available(repository: str, filenames: Sequence[str], offline_advice: str) -> str:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import GatedRepoError, HTTPError, RemoteEntryNotFoundError, RepositoryNotFoundError

    # One question per file, without the client's own retries, which take 20 s and more on a machine without a network.
    for filename in filenames:
        try:
            get_hf_file_metadata(hf_hub_url(repository, filename), timeout=PROBE_SECONDS)
            return filename
        except RemoteEntryNotFoundError:
            continue
        except GatedRepoError:
            raise BackboneError(
                f"huggingface.co/{repository} asks for its licence to be accepted: do so on its page, "
                "then run 'hf auth login' on this machine."
            ) from None
        except RepositoryNotFoundError:
            raise BackboneError(f"There is no repository {repository} on huggingface.co; check the name.") from None
        except (OSError, HTTPError):
            raise BackboneError(
                f"The file {filename} of huggingface.co/{repository} is not on this machine, and the hub cannot be "
                f"reached. {offline_advice}"
            ) from None
    raise BackboneError(f"huggingface.co/{repository} has none of the files {', '.join(filenames)}.")


def _bar_that_reports(progress: DownloadProgress) -> type:
    from tqdm import tqdm

    class ReportingBar(tqdm):
        """The hub client's progress bar, with ``progress`` in place of the terminal."""

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            # Not in display: tqdm calls that with a lock held, which an error would leave to hold up all bars to come.
            progress(int(self.n), int(self.total) if self.total else None)
            return shown

        def display(self, *args: object, **kwargs: object) -> None:
            """Nothing on the terminal."""

    return ReportingBar


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
