/** The page of the panel: nothing but its frame, which the script fills. */

/** Addresses as the page sees them, and what its content security policy lets it load. */
export interface PanelAssets {
  script: string;
  style: string;
  /** The origin of the extension's own files. */
  source: string;
  /** Only the script that carries it runs. */
  nonce: string;
}

export function panelHtml({ script, style, source, nonce }: PanelAssets): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${source}`,
    `font-src ${source}`,
    `img-src ${source}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<link rel="stylesheet" href="${style}">
<title>Phial</title>
</head>
<body>
<div id="panel"></div>
<script type="module" nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
