/*
 * Paths of files that a configuration names.
 */

/** A relative path starts in `directory`, "" or ending in "/": that of the configuration file. */
export function pathFrom(directory: string, path: string): string {
  return path.startsWith("/") ? path : `${directory}${path}`;
}
