"""The metrics of a process for Prometheus: `GET /metrics` on `METRICS_PORT`.

| module | what is in it |
| --- | --- |
| `instruments` | every counter and histogram, with its labels |
| `observer` | what is counted of what happens in a service (`chassis.observers`) |
| `samples` | gauges that are read off extensions when somebody asks (`chassis.gauges`) |
| `database` | gauges that a service's database is asked for |
| `custom` | what a service counts or notes itself |
| `lag` | how late the event loop wakes whom |
| `exporter` | the server, one for a process |

A label's values are known beforehand: services, methods, route templates, event types, outcomes.
Never an id, a path or a text that somebody sent, for each new value is a series that stays.
"""
