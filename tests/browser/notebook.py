"""What the browser tests do with a notebook: open it, run it, read its cells from JupyterLab's model.

The page draws only what is in view, so outputs are read from the model (JupyterLab's --expose_app_in_browser).
"""

from __future__ import annotations

from playwright.sync_api import Page

READY = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return !!panel?.content?.model?.cells && panel.context.isReady
    && panel.sessionContext.session?.kernel?.connectionStatus === "connected";
}"""
IDLE = """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === "idle" """
CELLS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells].filter(cell => cell.type === "code")
  .map(cell => ({source: cell.sharedModel.getSource(), count: cell.executionCount, outputs: cell.outputs.toJSON()}))"""


def open_notebook(page: Page, address: str) -> None:
    """Open it, and wait for its kernel."""
    page.goto(address)
    page.wait_for_function(READY, timeout=60_000)


def run_all(page: Page) -> list[dict]:
    """Run every cell; its code cells as source, count and outputs."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(IDLE, timeout=120_000)
    return page.evaluate(CELLS)


def errors(cells: list[dict]) -> list[str]:
    """What went wrong in these cells: tracebacks, and cells that did not run."""
    raised = [
        f"{output['ename']}: {output['evalue']} in {cell['source'][:60]!r}"
        for cell in cells
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    left = [f"did not run: {cell['source'][:60]}" for cell in cells if cell["source"].strip() and not cell["count"]]
    return raised + left


def bring_into_view(page: Page, text: str) -> None:
    """Scroll to the first cell whose source holds this text: JupyterLab draws only what is near the view."""
    page.evaluate(
        """async text => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          const index = [...notebook.model.cells].findIndex(cell => cell.sharedModel.getSource().includes(text));
          notebook.activeCellIndex = index;
          await notebook.scrollToItem(index, "start");
        }""",
        text,
    )


def cell_count(page: Page) -> int:
    return page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.cells.length")
