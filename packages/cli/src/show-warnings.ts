/** Shows what the owner of a model should know of how it was loaded, apart from what is printed. */
export function showWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
}
