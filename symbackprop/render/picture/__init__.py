"""Pictures of networks, units and functions: one layout, one small emitter per markup."""
