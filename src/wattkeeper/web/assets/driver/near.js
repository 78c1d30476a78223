// Where the phone is, asked for only when its owner taps; told to the server for that one list, in no address, kept by nobody.
function place(form, { coords }) {
  // Three decimals are a hundred metres: enough for a list, and no more is told than that needs.
  form.elements.latitude.value = coords.latitude.toFixed(3);
  form.elements.longitude.value = coords.longitude.toFixed(3);
  form.requestSubmit(form.querySelector("button"));
}

function ask(form, said) {
  const button = form.querySelector("button");
  button.disabled = true;
  said.textContent = said.dataset.asking;
  navigator.geolocation.getCurrentPosition(
    (found) => {
      button.disabled = false;
      said.textContent = "";
      place(form, found);
    },
    () => {
      button.disabled = false;
      said.textContent = said.dataset.refused;
    },
    { maximumAge: 60000, timeout: 15000 },
  );
}

export function startNear() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-near]");
    if (!form || form.elements.latitude.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(form, document.querySelector("#near-said"));
  }, true);
}
