"use strict";
// validatorUrl null and no preset with a top bar: the page asks nobody but this service.
window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
