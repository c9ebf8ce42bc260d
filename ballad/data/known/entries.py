"""All datasets of the catalogue."""

from collections.abc import Mapping
from types import MappingProxyType

from ballad.data.known.cifar import Cifar10LT, Cifar100LT
from ballad.data.known.demo import Demo
from ballad.data.known.entry import KnownDataset
from ballad.data.known.imagenet import ImageNetLT
from ballad.data.known.inaturalist import INaturalist2018
from ballad.data.known.places import PlacesLT
from ballad.data.known.tiny_imagenet import TinyImageNetLT

_ENTRIES = (Demo(), Cifar100LT(), Cifar10LT(), ImageNetLT(), PlacesLT(), INaturalist2018(), TinyImageNetLT())
CATALOG: Mapping[str, KnownDataset] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""The datasets by their names."""
