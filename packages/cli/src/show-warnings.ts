/** Prints warnings about how a model was loaded, on stderr. */
export function showWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
}
