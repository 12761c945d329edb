"""`python -m tests.federation_audit.fetch_table`: what each query of the audit costs, to compare one planner with the next.

Fetches and levels are the plan's; requests are those that were sent, which conditions and empty lists make fewer.
"""

import asyncio
import logging
import sys

from tests.federation_audit.audit import cases
from tests.federation_audit.expectations import is_met
from tests.federation_audit.gateway import ask, composed_here


async def main() -> None:
    logging.disable(logging.CRITICAL)
    totals = [0, 0, 0]
    print(f"{'query':45} {'fetches':>7} {'levels':>7} {'requests':>8}  subgraphs")
    for case in cases():
        answer = await ask(case, composed_here(case.suite))
        row = [len(answer.plan.fetches) if answer.plan else 0, answer.levels, len(answer.requests)]
        totals = [total + one for total, one in zip(totals, row, strict=True)]
        asked = " ".join(subgraph for subgraph, _ in answer.requests)
        wrong = "" if is_met(case, answer) else "  WRONG"
        print(f"{case.id:45} {row[0]:7} {row[1]:7} {row[2]:8}  {asked}{wrong}")
    print(f"{'total':45} {totals[0]:7} {totals[1]:7} {totals[2]:8}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
