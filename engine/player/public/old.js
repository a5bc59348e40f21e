// In the oldest words of the language: says so when the player could not start here.
window.addEventListener("load", function () {
  window.setTimeout(function () {
    if (document.documentElement.getAttribute("data-started") === null) {
      document.documentElement.setAttribute("data-old", "");
    }
  }, 1500);
});
