/** One part of a configuration: a plugin and the options that differ from its defaults. */
export interface PluginChoice {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
}

/** A task that `attune init` writes a configuration for; it has the name of its objective. */
export interface Task {
  readonly title: string
  /** The objective's options that name fields, each with the field's usual names, the objective's default first. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  /** A small model that trains from scratch on two CPU cores. */
  readonly model: PluginChoice
  /** A tokenizer, and the fields that its vocabulary is trained on, as options of the objective. */
  readonly tokenizer: PluginChoice & { readonly trainedOn: readonly string[] }
  /** Metrics by name, or with the task that they are of, as a configuration writes them. */
  readonly metrics: readonly (string | { readonly use: string; readonly of: string })[]
  /** The validation score that chooses the best checkpoint. */
  readonly best: string
  /** Options of the objective other than its fields. */
  readonly objective?: Readonly<Record<string, unknown>>
  /** Objective in the option `task`, to which the fields belong. Default: none. */
  readonly nested?: string
  /** The optimizer. Default: adamw. */
  readonly optimizer?: PluginChoice
  /** True if the saved model of `--from` is a frozen teacher of a new model. */
  readonly hasTeacher?: boolean
  /** Files that the configuration names, content by name; written next to it unless they exist. */
  readonly files?: Readonly<Record<string, string>>
  /** True if a label per row keeps the classes in proportion when validation data are split off. */
  readonly stratified?: boolean
}
