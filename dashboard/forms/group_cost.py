"""What a group of experiments takes: its stages, which of them are done, and the time for the others."""

from collections.abc import Sequence

from ballad.stages.plan import Plan
from ballad.store import queries
from ballad.work.devices import device_for, list_devices
from dashboard.forms.cost import ExpectedTime, expected_time, speed_on
from dashboard.reading.plans import DatasetFacts, StageState, stage_states
from dashboard.reading.workbench import open_store


def stages_and_time(plans: Sequence[Plan], facts: DatasetFacts) -> tuple[list[StageState], ExpectedTime]:
    """Every stage of these plans, and how long the missing ones take at the speed of earlier runs.

    ``facts`` are those of the dataset that all plans share. Raises RunError for a device that is not there.
    """
    states = stage_states(plans)
    missing = {state.stage.key for state in states if not state.present}
    throughput, devices = queries.throughput(open_store()), list_devices()
    seconds, unknown = 0.0, dict[str, None]()
    for backbone in dict.fromkeys(plan.experiment.backbone.name for plan in plans):
        of_backbone = [plan for plan in plans if plan.experiment.backbone.name == backbone]
        device = device_for(of_backbone[0].experiment.runtime.device, devices)
        time = expected_time(of_backbone, missing, facts.images, speed_on(throughput, backbone, device))
        seconds += time.seconds
        unknown |= dict.fromkeys(time.unknown)
    return states, ExpectedTime(seconds, tuple(unknown))
