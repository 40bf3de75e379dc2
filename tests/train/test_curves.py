"""TensorBoard's logs hold each point once, also of a training that was killed."""

import math
import struct

from tensorboardX.proto.event_pb2 import Event

from understudy.train.curves import Curves


def events(folder) -> list[Event]:
    """As the files hold them (a length, its checksum, an event, its checksum), in the order of their names."""
    found = []
    for path in sorted((folder / "tensorboard").iterdir()):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            found.append(Event.FromString(data[12 : 12 + length]))
            data = data[16 + length :]
    return found


def test_a_killed_trainings_points_are_taken_back(tmp_path):
    Curves(tmp_path, 0).add(0, {"dev loss": 3.0})  # killed before its first checkpoint
    (lost,) = (tmp_path / "tensorboard").iterdir()
    lost.rename(lost.with_name("events.out.tfevents.0000000000"))
    first = Curves(tmp_path, 0)
    first.add(10, {"train loss": math.nan, "dev loss": 2.0})
    first.add(20, {"train loss": 1.5, "dev loss": 1.75})  # after the checkpoint: not closed, and told again below
    second = Curves(tmp_path, 15)
    second.add(20, {"train loss": 1.25, "dev loss": 1.5})
    second.close()
    points: dict[tuple[str, int], float] = {}
    for event in events(tmp_path):
        if event.HasField("session_log"):  # TensorBoard then forgets what has this step or a later one
            points = {key: value for key, value in points.items() if key[1] < event.step}
        for value in event.summary.value:
            assert (value.tag, event.step) not in points
            points[value.tag, event.step] = value.simple_value
    assert points == {("dev_loss", 10): 2.0, ("train_loss", 20): 1.25, ("dev_loss", 20): 1.5}
