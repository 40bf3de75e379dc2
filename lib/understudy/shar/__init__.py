"""Speech as a stream: Lhotse Shar, with senone labels and soft targets beside the features."""

from understudy.shar.check import damaged
from understudy.shar.read import SharData
from understudy.shar.write import write_shar

__all__ = ["SharData", "damaged", "write_shar"]
