declare const WRITTEN_BY: unique symbol

/**
 * A plugin name from a file: the `model_type` of a checkpoint, a tokenizer type, a run's record. Files are untrusted data, so the
 * name resolves only to an installed plugin of exactly that name.
 */
export type FileName = string & { readonly [WRITTEN_BY]: 'file' }

/**
 * A plugin specifier written by the user (configuration, flag, code): a name, a path or a package. It may load arbitrary code, so
 * it must never be derived from the content of a file.
 */
export type UserSpecifier = string & { readonly [WRITTEN_BY]: 'user' }

/** Marks a string as read from a file. */
export const fileName = (text: string): FileName => text as FileName

/** Marks a string as written by the user. Call it where user input enters, not where a plugin is looked up. */
export const userSpecifier = (text: string): UserSpecifier => text as UserSpecifier
