//! The policy module: a template applied to a request of a requester gives a profile or a denial.
