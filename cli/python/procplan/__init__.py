"""ProcPlan from Python: see procplan.notifier."""
