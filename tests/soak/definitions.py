"""The definitions of a soak, as an administrator would write them for the shop and the floor."""

from __future__ import annotations

from collections.abc import Mapping

ORDER = """\
mapping: soak-order
version: 1
from: soakshop.Order
to: lineshaft.SalesOrder
fields:
  number: number
  type: {const: sale}
  released: {const: true}
  cancelled: {const: false}
  placed_at: {from: placed, as: instant}
  changed_at: {from: changed, as: instant}
  lines:
    each: lines
    fields:
      id: id
      item: item
      quantity: {from: quantity, as: decimal, scale: 6}
      unit: {const: pcs}
      cancelled: {const: false}
sample:
  number: "1"
  quantity: 5
  item: P-1
  placed: 2026-05-01T08:00:00Z
  changed: 2026-05-01T08:00:00Z
  lines: [{id: L1, item: P-1, quantity: 5}]
tests:
  - {name: an order, expect: {number: "1"}}
  - {given: {number: null}, fails: required_missing, field: number}
  - {given: {lines: [{id: null, item: P-1, quantity: 5}]}, fails: required_missing, field: "lines[0].id"}
  - {given: {lines: [{id: L1, item: null, quantity: 5}]}, fails: required_missing, field: "lines[0].item"}
  - {given: {lines: [{id: L1, item: P-1, quantity: null}]}, fails: required_missing, field: "lines[0].quantity"}
"""

ITEM = """\
mapping: soak-item
version: 1
from: soakshop.Item
to: lineshaft.Item
fields:
  item: item
  unit: {const: pcs}
  site: site
sample: {item: P-1, site: floor}
tests:
  - {name: an item, expect: {item: P-1}}
  - {given: {item: null}, fails: required_missing, field: item}
"""

STATUS = """\
mapping: soak-status
version: 1
from: lineshaft.OrderStatus
to: soakshop.Status
fields:
  number: number
  state: state
sample: {order_key: "shop:1", number: "1", state: running}
tests:
  - {name: a status, expect: {number: "1", state: running}}
"""

JOB = """\
mapping: soak-job
version: 1
from: lineshaft.JobOrder
to: soakfloor.Job
fields:
  job: job_order_id
  quantity: quantity
  desired: desired
sample: {job_order_id: "shop:1/L1", order_key: "shop:1", destination: floor, desired: released, quantity: 5}
tests:
  - {name: a job, expect: {job: "shop:1/L1"}}
"""

REPORT = """\
mapping: soak-report
version: 1
from: soakfloor.Report
to: lineshaft.JobResponse
only_when: {job: {empty: false}}
fields:
  job_order_id: job
  order_key: {function: order_key_of_job, args: [job]}
  state: state
  cancel_requested: {const: false}
  changed_at: {from: at, as: instant}
  operations:
    each: operations
    fields:
      operation: operation
      good: {from: good, as: decimal, scale: 6}
      scrap: {const: 0}
      rework: {const: 0}
      started_at: {from: at, as: instant}
      ended_at: {from: at, as: instant}
sample:
  job: "shop:1/L1"
  state: running
  at: 2026-05-01T08:00:00Z
  operations: [{operation: Turning, good: 0, at: 2026-05-01T08:00:00Z}]
tests:
  - {name: a report, expect: {job_order_id: "shop:1/L1", order_key: "shop:1"}}
  - {name: no job, given: {job: null}, skipped: true}
  - {name: no id of ours, given: {job: WO-1}, fails: bad_value, field: order_key}
  - {given: {state: null}, fails: required_missing, field: state}
  - {given: {at: null}, fails: required_missing, field: changed_at}
  - {given: {operations: [{operation: null, good: 0}]}, fails: required_missing, field: "operations[0].operation"}
  - {given: {operations: [{operation: Turning, good: null}]}, fails: required_missing, field: "operations[0].good"}
"""

ROUTES = """\
routes: orders
version: 1
release_when: {released: true}
to:
  - {when: {item.site: floor}, destination: floor}
"""

FILES: Mapping[str, str] = {
    "mappings/order.yaml": ORDER,
    "mappings/item.yaml": ITEM,
    "mappings/status.yaml": STATUS,
    "mappings/job.yaml": JOB,
    "mappings/report.yaml": REPORT,
    "routes/routes.yaml": ROUTES,
}
"""By the name in the project's folder."""
