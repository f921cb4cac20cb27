// Keys go to the course as soon as it is shown: nobody has to click into it first.
const focusTerminal = () => document.querySelector(".xterm-helper-textarea")?.focus();
window.addEventListener("load", () => {
  new MutationObserver((_, observer) => {
    if (document.body.classList.contains("-first-byte")) {
      observer.disconnect();
      focusTerminal();
    }
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
});
