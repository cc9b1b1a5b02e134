/* Start: the sections in their order, then the images once the page has been painted. */
"use strict";
alerts();
madeSection();
balanceSection();
parametersSection();
labelsSection();
qualitySection();
shortcutsSection();
failuresSection();
imagesSection();
requestAnimationFrame(() => setTimeout(() => fillImages().catch((error) => {
  document.getElementById("images").append(element("p", { class: "badge" }, error.message));
}), 0));
