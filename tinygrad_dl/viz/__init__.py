"""Pictures of backprop: traces, graphs, and derivations read off the rules that run."""

from .derivation import Derivation, explain
from .descent import Race, plot_schedule, race, ravine, schedule_rates
from .graph import Graph, graph
from .page import Page, page
from .symbol import Symbol, derivative
from .trace import Trace, trace
