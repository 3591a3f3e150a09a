"""Pictures of backprop: traces, graphs, and derivations read off the rules that run."""

from .check import HandCheck, check_by_hand
from .derivation import Derivation
from .descent import Race, plot_schedule, race, ravine, schedule_rates
from .explaining import explain
from .graph import Graph, graph
from .page import Page, page
from .symbol import Symbol, derivative
from .trace import Trace, trace
