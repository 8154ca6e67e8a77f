/** The one number type of the core: both compilers read it as a signed 32-bit integer. */
declare type i32 = number;
