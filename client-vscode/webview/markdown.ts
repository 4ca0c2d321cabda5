/** From an answer's markdown to HTML that is safe to show: what a model writes is not trusted. */
import DOMPurify from "dompurify";
import hljs from "highlight.js/lib/common";
import MarkdownIt, { type Token } from "markdown-it";

/** Remembers the highlighted code of one answer, so that only the block that grows is highlighted again. */
export type Highlights = Map<string, string>;

/** The HTML of each top-level block, not yet safe. Equal HTML means an equal block. */
export function markdownBlocks(text: string, highlights: Highlights = new Map()): string[] {
  const used: Highlights = new Map();
  const environment: Environment = { earlier: highlights, used };
  const blocks = topLevel(markdown.parse(text, environment)).map((tokens) =>
    markdown.renderer.render(tokens, markdown.options, environment),
  );
  highlights.clear();
  for (const [code, html] of used) highlights.set(code, html);
  return blocks;
}

/** Only the elements, attributes and addresses that markdown needs. */
export function safeFragment(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: allowedTags,
    ALLOWED_ATTR: ["class", "href", "title", "start"],
    ALLOWED_URI_REGEXP: webAddress,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
}

type Environment = { earlier: Highlights; used: Highlights };

const webAddress = /^https?:\/\//i;

const allowedTags = [
  ...["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li"],
  ...["strong", "em", "s", "a", "code", "pre", "span"],
  ...["table", "thead", "tbody", "tr", "th", "td"],
];

const markdown = new MarkdownIt({ html: false, linkify: false });
markdown.validateLink = (address) => webAddress.test(address);

markdown.renderer.rules.fence = (tokens, index, _options, environment) => {
  const { info = "", content = "" } = tokens[index] ?? {};
  const language = info.trim().split(/\s+/)[0] ?? "";
  // Ours: it is the one that `markdownBlocks` renders with.
  const html = highlighted(content, language, environment as Environment);
  return `<pre><code class="language-${escaped(language)}">${html}</code></pre>\n`;
};

// An image would be fetched from elsewhere: show a link to it, or its text where a link is around it already.
markdown.renderer.rules.image = (tokens, index) => {
  const address = String(tokens[index]?.attrGet("src") ?? "");
  const label = escaped(tokens[index]?.content || address);
  const depth = tokens.slice(0, index).reduce((sum, { type, nesting }) => {
    return type === "link_open" || type === "link_close" ? sum + nesting : sum;
  }, 0);
  return depth > 0 ? label : `<a href="${escaped(address)}">${label}</a>`;
};

function topLevel(tokens: Token[]): Token[][] {
  const blocks: Token[][] = [];
  let depth = 0;
  let current: Token[] = [];
  for (const token of tokens) {
    current.push(token);
    depth += token.nesting;
    if (depth > 0) continue;
    blocks.push(current);
    current = [];
  }
  return blocks;
}

function highlighted(code: string, language: string, { earlier, used }: Environment): string {
  if (!hljs.getLanguage(language)) return escaped(code);
  const key = `${language}\n${code}`;
  const html = earlier.get(key) ?? hljs.highlight(code, { language, ignoreIllegals: true }).value;
  used.set(key, html);
  return html;
}

function escaped(text: string): string {
  return markdown.utils.escapeHtml(text);
}
