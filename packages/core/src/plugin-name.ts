declare const WRITTEN_BY: unique symbol

/**
 * A plugin's name as a file states it: `model_type` of a checkpoint, the type of a tokenizer, a run's record. Files are data, so the
 * name resolves to an installed plugin of that exact name and to nothing else.
 */
export type FileName = string & { readonly [WRITTEN_BY]: 'file' }

/**
 * What the user wrote where a plugin is named (configuration, flag, code): a name, a path or a package. It may lead to any program, and
 * is never made of what a file says.
 */
export type UserSpecifier = string & { readonly [WRITTEN_BY]: 'user' }

/** Marks a text as one that a file states. */
export const fileName = (text: string): FileName => text as FileName

/** Marks a text as one that the user wrote. Call it where the user's text enters, not where a plugin is looked up. */
export const userSpecifier = (text: string): UserSpecifier => text as UserSpecifier
