// One tap copies an id or a key; where the browser forbids it, the text is selected so that a key press copies it.
function select(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

export async function copy(button) {
  const text = button.dataset.copy;
  const said = button.querySelector(".did");
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    select(button.querySelector(".text") ?? button);
    done = document.execCommand("copy");
  }
  if (!said) return;
  const { copied, selected } = document.body.dataset;
  said.textContent = done ? copied : selected;
  setTimeout(() => (said.textContent = said.dataset.rest ?? ""), 2500);
}

export function startCopying() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
}
