"""The experiments of arXiv:2106.06126 on one corpus: their description is turned into jobs and rows of a table."""

from understudy.experiments.jobs import jobs_of
from understudy.experiments.names import full_names
from understudy.experiments.options import BLOCKS, Condition, Experiments
from understudy.experiments.order import in_order_of_need
from understudy.experiments.rows import Row, rows_of

__all__ = ["BLOCKS", "Condition", "Experiments", "Row", "full_names", "in_order_of_need", "jobs_of", "rows_of"]
