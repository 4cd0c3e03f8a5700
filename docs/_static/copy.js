/* A button on each block of code that copies it, without the prompts and the output of examples. */
document.addEventListener("DOMContentLoaded", () => {
  const blocks = document.querySelectorAll("div.highlight pre");
  for (const block of blocks) {
    if (block.closest(".highlight-text, .highlight-console, .sphx-glr-script-out")) continue; // output
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy-code";
    button.title = "Copy this code";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await copy(codeOf(block.textContent));
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.parentElement.append(button);
  }
});

/* Return what a user would type: of an example with prompts, the lines with one, without it. */
function codeOf(text) {
  const lines = text.replace(/\n+$/, "").split("\n");
  if (!lines.some((line) => line.startsWith(">>> "))) return lines.join("\n");
  return lines.filter((line) => /^(>>>|\.\.\.)( |$)/.test(line)).map((line) => line.slice(4)).join("\n");
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text }); // pages without https
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
