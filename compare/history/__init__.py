"""What clients asked of a store and were told, and what that proves to have gone wrong."""
