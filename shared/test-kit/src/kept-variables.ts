/** Variables as they are now. The function that is returned sets them so again: others are gone, changed ones are as before. */
export function keptVariables(variables: NodeJS.ProcessEnv): () => void {
  const kept = { ...variables };
  return () => {
    for (const name of Object.keys(variables)) if (!(name in kept)) delete variables[name];
    Object.assign(variables, kept);
  };
}
