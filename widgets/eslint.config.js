import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  { files: ["*.js"], languageOptions: { globals: globals.node } },
  {
    files: ["src/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      "eqeqeq": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-param-reassign": ["error", { props: false }],
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", { max: 60, skipComments: true }],
      "no-restricted-properties": [
        "error",
        // Whatever a machine, a file name or an exercise says is text, never markup.
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property, message: "texts go in as textContent" })),
        { object: "document", property: "write", message: "texts go in as textContent" },
      ],
    },
  },
];
