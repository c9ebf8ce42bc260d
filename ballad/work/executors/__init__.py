"""Where a claimed run is executed, a module for each way: submitted to, polled and cancelled alike.

A module that names an :class:`~ballad.work.executors.protocol.ExecutorKind` is offered wherever runs are queued.
"""
