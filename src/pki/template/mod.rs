//! Certificate templates as AD CS has them ([MS-CRTD]): complete, consistent, within limits.
