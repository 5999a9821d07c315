// A function for tests whose module cannot be loaded.
throw new TypeError('this module does not load');
