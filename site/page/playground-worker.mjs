// The playground's Python: the widget of labkit/jupyter/playground.py, which talks to the page as to a notebook.
import { loadPyodide } from "../static/pyodide/labkit.mjs";

const BEGIN = `
import json
import comm
from comm.base_comm import BaseComm


class PageComm(BaseComm):
    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        post(json.dumps([msg_type, self.comm_id, data]))


comm.create_comm = PageComm
from labkit.jupyter.playground import open_playground, ShareError

try:
    widget = open_playground((shared,), None, False, {}) if shared else open_playground((), None, True, {})
except ShareError as error:
    widget = open_playground((), None, True, {})
    widget.note = f"That was not opened: {error}."
own = widget.model_id


def hear(text):
    widget.comm.handle_msg({"content": {"data": json.loads(text)}, "buffers": []})
`;

let hear = null;
self.onmessage = async ({ data }) => {
  if ("begin" in data) {
    const python = await loadPyodide({ indexURL: new URL("../static/pyodide/", import.meta.url).href, env: { LABKIT_HOME: "/tmp/labkit" } });
    python.globals.set("post", (text) => self.postMessage({ said: text }));
    python.globals.set("shared", data.begin);
    python.runPython(BEGIN);
    hear = python.globals.get("hear");
    self.postMessage({ own: python.globals.get("own") });
  } else {
    hear(data.say);
  }
};
