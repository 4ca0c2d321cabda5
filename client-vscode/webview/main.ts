import { type Host, startPanel } from "./panel";

declare function acquireVsCodeApi(): Host;

const root = document.getElementById("panel");
if (root) startPanel(root, acquireVsCodeApi());
